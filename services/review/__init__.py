"""Review: what became of money whose provider does not say so, told by one person and approved by another.

A payout, or the attempt of a refund, is *undecided* once its provider was asked along the whole ladder
(`undecided_at`). It goes on being asked. The attempt of a payment is it once nobody asks any more and nothing
was said that may be booked. Meanwhile one of those who reconcile looks it up in the provider's
own books and says what became of it (`settling.propose`), and another of them approves that
(`settling.approve`); then it is taken as the provider's own word would be, and nothing is ever sent again.
Whichever comes first counts: the provider's word makes what waits void (`overtaken`).

    record     how it is kept, locked and shown
    queue      what is undecided
    subject    a payout, or an attempt of a refund or a payment, whichever it is
    receipts   that a receipt is of no other money
    settling   proposing, approving, rejecting
    overtaken  the provider's word comes after all
"""
