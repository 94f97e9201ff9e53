"""Makes image sets of DICOM files, metadata documents and folders. Does not know the store."""
