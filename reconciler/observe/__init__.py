"""Reading the image sets that the asks name, within the quotas."""
