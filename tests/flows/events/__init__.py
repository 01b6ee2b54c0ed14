"""Events: what happens beside the talk, the lines `* WORD facts` of a transcript."""
