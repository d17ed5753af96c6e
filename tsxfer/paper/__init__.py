"""The published study on its own raw results: import, its method, gates, selection rules, claims.

Section numbers in this room are those of the reconstruction of Otović et al. 2022
(Knowledge-Based Systems, 107976): 4 protocol, 5 published tables, 6 faults, 7 conclusions.
"""
