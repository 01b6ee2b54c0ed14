"""Batches: withdrawals out of one file, approved as one.

    taken   -> a file is on its way from the chat's channel (it is fetched outside any transaction)
    draft   -> read and checked; who sent it looks at what it comes to
    pending -> asked for; others decide, over a digest of every line
    running -> approved: each line is a withdrawal of its own, all made in one transaction
    done    -> every line has come to its end

Or it ends faulty, rejected, canceled or expired: then nothing was held, and nothing is left of it.
"""
