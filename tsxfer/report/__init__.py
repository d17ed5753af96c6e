"""Reports from rows: terminal, Markdown, CSV, LaTeX and one offline HTML page."""
