"""Pages that let anyone see what a node holds, in a browser and on paper: read-only, without any script.

``tongqiu.portal.site`` answers HTTP; ``tongqiu.portal.report`` writes the one-page report of a system as a file.
"""
