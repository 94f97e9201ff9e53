// The AWS SDK for JavaScript, version 3, against a running emulator, set up as docs/emulator.md says.
// Prints one JSON object. tests/emulator/test_clients.py judges it.
//
//     node sdk.cjs ENDPOINT
//
// Frames are decoded by OpenJPH in WebAssembly, as AWS's viewers in the browser do it.
"use strict";

const { gunzipSync } = require("node:zlib");
const sdk = require("@aws-sdk/client-medical-imaging");
const openJph = require("@cornerstonejs/codec-openjph");

const client = new sdk.MedicalImagingClient({
  endpoint: process.argv[2],
  disableHostPrefix: true,
  region: "us-east-1",
  credentials: { accessKeyId: "emulator", secretAccessKey: "emulator" },
  maxAttempts: 1,
});

const call = (name, input) => client.send(new sdk[`${name}Command`](input));

const errorOf = async (name, input) => {
  try {
    await call(name, input);
    return null;
  } catch (error) {
    return {
      name: error.name,
      message: error.message,
      status: error.$metadata.httpStatusCode,
      isOfTheModel: error instanceof (sdk[error.name] ?? sdk.MedicalImagingServiceException),
    };
  }
};

const metadataOf = async (named) => {
  const answer = await call("GetImageSetMetadata", named);
  const body = await answer.imageSetMetadataBlob.transformToByteArray();
  return {
    contentType: answer.contentType,
    contentEncoding: answer.contentEncoding,
    document: JSON.parse(gunzipSync(body)),
  };
};

const importFrom = async (datastoreId) => {
  const started = await call("StartDICOMImportJob", {
    jobName: "javascript",
    datastoreId,
    dataAccessRoleArn: "arn:aws:iam::000000000000:role/import",
    inputS3Uri: "s3://bucket/",
    outputS3Uri: "s3://results/",
  });
  const { jobProperties } = await call("GetDICOMImportJob", { datastoreId, jobId: started.jobId });
  return jobProperties.jobStatus;
};

const searched = async (datastoreId) => {
  const found = [];
  const pages = sdk.paginateSearchImageSets({ client, pageSize: 1 }, { datastoreId });
  for await (const page of pages) {
    found.push(page.imageSetsMetadataSummaries.length);
  }
  const { imageSetsMetadataSummaries } = await call("SearchImageSets", { datastoreId });
  const areDates = imageSetsMetadataSummaries.every((row) => row.updatedAt instanceof Date);
  return { pages: found, areDates, ids: imageSetsMetadataSummaries.map((row) => row.imageSetId) };
};

// The pixels of a frame: at full resolution, and at the first from the bytes of that alone.
const decoded = (codec, data) => {
  const decoder = new codec.HTJ2KDecoder();
  decoder.getEncodedBuffer(data.length).set(data);
  decoder.decode();
  const { width, height, bitsPerSample, componentCount, isSigned } = decoder.getFrameInfo();
  const pixels = Buffer.from(decoder.getDecodedBuffer()).toString("base64");
  const small = decoder.calculateSizeAtDecompositionLevel(decoder.getNumDecompositions());
  return { width, height, bitsPerSample, componentCount, isSigned, pixels, small };
};

const framesOf = async (codec, named, document) => {
  const frames = [];
  for (const series of Object.values(document.Study.Series)) {
    for (const [uid, instance] of Object.entries(series.Instances)) {
      for (const described of instance.ImageFrames) {
        const answer = await call("GetImageFrame", {
          ...named,
          imageFrameInformation: { imageFrameId: described.ID },
        });
        const data = await answer.imageFrameBlob.transformToByteArray();
        const { contentType } = answer;
        const seen = contentType === "image/jph" ? decoded(codec, data) : null;
        frames.push({ uid, contentType, described, size: data.length, ...seen });
      }
    }
  }
  return frames;
};

const commentOf = (document) => {
  const [series] = Object.values(document.Study.Series);
  const [instance] = Object.values(series.Instances);
  return instance.DICOM.ImageComments;
};

// Changes an instance: Patient level of a primary image set needs includeStudyImageSets, which
// version 3.958.0 of the SDK does not send.
const commented = async (named, comment, more) => {
  const { versionId } = await call("GetImageSet", named);
  const { document: before } = await metadataOf(named);
  const [[seriesUid, { Instances }]] = Object.entries(before.Study.Series);
  const [uid] = Object.keys(Instances);
  const block = { Instances: { [uid]: { DICOM: { ImageComments: comment } } } };
  const document = { SchemaVersion: 1.1, Study: { Series: { [seriesUid]: block } } };
  return call("UpdateImageSetMetadata", {
    ...named,
    ...more,
    latestVersionId: versionId,
    updateImageSetMetadataUpdates: {
      DICOMUpdates: { updatableAttributes: new TextEncoder().encode(JSON.stringify(document)) },
    },
  });
};

const updated = async (named) => {
  const answer = await commented(named, "Größe 王", {});
  const after = await metadataOf(named);
  const { imageSetPropertiesList } = await call("ListImageSetVersions", named);
  return {
    version: answer.latestVersionId,
    state: answer.imageSetState,
    createdAtIsDate: answer.createdAt instanceof Date,
    comment: commentOf(after.document),
    versions: imageSetPropertiesList.map((row) => [row.versionId, row.ImageSetWorkflowStatus]),
  };
};

// The emulator refuses the flag for an instance: the update succeeds only if the flag is not sent.
const studyWide = async (named) => {
  await commented(named, "study-wide", { includeStudyImageSets: true });
  return (await call("GetImageSet", named)).imageSetWorkflowStatus;
};

const tagged = async (resourceArn) => {
  await call("TagResource", { resourceArn, tags: { team: "radiology" } });
  const { tags } = await call("ListTagsForResource", { resourceArn });
  await call("UntagResource", { resourceArn, tagKeys: ["team"] });
  return [tags, (await call("ListTagsForResource", { resourceArn })).tags];
};

const main = async () => {
  const codec = await openJph();
  const made = await call("CreateDatastore", { datastoreName: "javascript" });
  const { datastoreId } = made;
  const { datastoreProperties } = await call("GetDatastore", { datastoreId });
  const { datastoreSummaries } = await call("ListDatastores", {});
  const job = await importFrom(datastoreId);
  const search = await searched(datastoreId);
  const imageSets = [];
  for (const imageSetId of search.ids) {
    const named = { datastoreId, imageSetId };
    const { document, ...encoding } = await metadataOf(named);
    imageSets.push({ imageSetId, encoding, frames: await framesOf(codec, named, document) });
  }
  const named = { datastoreId, imageSetId: search.ids[0] };
  const { imageSetArn } = await call("GetImageSet", named);
  const update = await updated(named);
  const copied = await call("CopyImageSet", {
    datastoreId,
    sourceImageSetId: named.imageSetId,
    copyImageSetInformation: { sourceImageSet: { latestVersionId: update.version } },
  });
  const copy = { datastoreId, imageSetId: copied.destinationImageSetProperties.imageSetId };
  const deleted = await call("DeleteImageSet", copy);
  return {
    datastore: {
      status: datastoreProperties.datastoreStatus,
      isListed: datastoreSummaries.some((row) => row.datastoreId === datastoreId),
    },
    job,
    search,
    imageSets,
    update,
    studyWide: await studyWide(named),
    tags: await tagged(imageSetArn),
    deleted: deleted.imageSetWorkflowStatus,
    stale: await errorOf("UpdateImageSetMetadata", {
      ...named,
      latestVersionId: "7",
      updateImageSetMetadataUpdates: { revertToVersionId: "1" },
    }),
    missing: await errorOf("GetImageSet", { datastoreId, imageSetId: "f".repeat(32) }),
  };
};

main().then(
  (report) => process.stdout.write(JSON.stringify(report)),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);
