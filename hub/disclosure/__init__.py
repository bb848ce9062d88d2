"""What a resident is told about the transfers of their data: HTML, PDF and JSON in Japanese."""
