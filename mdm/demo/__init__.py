"""The demo company: an invented French retailer with the data every retailer has.

People and households are invented from Faker's French name lists with weights of our own, dirt
is added as shops, tills and web forms add it, and three files are written as a customer system,
a web shop and a newsletter tool would export them. Nothing here knows the database: the files
are loaded through `load` like anyone's.
"""
