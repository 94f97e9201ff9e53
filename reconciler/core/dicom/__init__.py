"""DICOM rules, based on pydicom: dictionary, values, levels, constraints, documents, updates."""
