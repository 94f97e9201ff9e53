"""DICOM knowledge on pydicom: dictionary, values, levels, constraints, documents and updates."""
