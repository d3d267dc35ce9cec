"""Reading files of customers: CSV and XLSX, streamed, hostile ones refused before any row.

`tables.open_table` is the door: it finds out what the file is and yields its rows as text.
"""
