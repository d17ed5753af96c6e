"""The small tables of a report, a module a topic; `tsxfer.report.sections` has their order."""
