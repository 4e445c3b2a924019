"""The tracker of the document, for comparison."""
