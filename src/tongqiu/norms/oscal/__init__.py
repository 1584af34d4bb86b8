"""Packs, crosswalks and results in the Open Security Controls Assessment Language (OSCAL), for tools that read it.

Written is version 1.2.1 of OSCAL, as JSON: catalog, profile, mapping collection, assessment results; read is a catalog.
The same input gives the same bytes: identifiers are derived (UUID version 5), dates come from the pack. What OSCAL has no
place for stands in properties of our own namespace, or is lost, and :mod:`tongqiu.norms.oscal.loss` says which.
"""
