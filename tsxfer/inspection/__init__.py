"""What a prepared data set holds, before anything is trained: facts, a terminal view and a page."""
