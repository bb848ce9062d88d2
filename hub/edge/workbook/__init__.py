"""Reads and writes spreadsheet workbooks (ECMA-376, ``.xlsx`` and ``.xlsm``) as a stream.

Only what a table of texts needs: cells, shared strings, and which numbers are days. Macros are
never opened, formulas never evaluated, links never followed. openpyxl would keep an element for
each row it has passed and every shared string in memory; it checks this package in the tests.
"""
