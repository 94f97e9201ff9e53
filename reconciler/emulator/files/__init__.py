"""DICOM files, metadata documents and folders -> image sets. Knows no store."""
