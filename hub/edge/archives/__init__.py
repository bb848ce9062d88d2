"""Archives and XML documents of strangers, read without believing them."""
