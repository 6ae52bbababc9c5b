"""`mlopt`: reads IR, runs passes over it, prints IR. The tool that walks any IR down any part of the stairs."""
