"""Mail: what stands in the audit and somebody has to see is told by e-mail too.

posting.py    after the commit: entries of the audit -> rows of `mails`, one for each who is told
mailer.py     those rows -> one e-mail for each recipient, again and again until the server takes it
asked.py      what waits for approvers, of any kind
letters.py    what it says
smtp.py       how it is sent
"""
