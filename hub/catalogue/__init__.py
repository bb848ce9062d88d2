"""What people see of the catalogue: tables, pages, pictures and documents, all of it pure."""
