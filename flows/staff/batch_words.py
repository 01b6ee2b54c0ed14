"""Batch words: what is wrong of a file of withdrawals, in words: the line, what is wrong, what to do."""

from flows.text import Text
from services.batches.faults import Fault, Faulty
from services.batches.sheet import MOST_BYTES


def fault(told: Faulty) -> Text:
    if told.line:
        return Text("Line {line}: {fault}", line=told.line, fault=_of_line(told))
    return _of_file(told)


def _of_file(told: Faulty) -> Text:
    match told.because:
        case Fault.TOO_LARGE:
            return Text("The file is too large: it may have {most} kB.", most=MOST_BYTES // 1024)
        case Fault.NOT_TEXT:
            return Text("The file is no text that I can read. Save it as CSV in UTF-8.")
        case Fault.TOO_MANY_LINES:
            return Text("The file has too many lines: {most} at most. Make two files of it.", most=told.most)
    return Text(
        "The file is empty. Its first line names the columns to, number and amount; each line after that "
        "is a withdrawal."
    )


def _of_line(told: Faulty) -> Text:  # noqa: C901, PLR0912  a case a fault
    match told.because:
        case Fault.NOT_CSV:
            return Text("it cannot be read, perhaps for a stray quotation mark. Save it as CSV anew.")
        case Fault.UNKNOWN_COLUMN:
            return Text(
                "I don't know the column “{column}”. Known are to, number, amount, bank, name and note.",
                column=told.given,
            )
        case Fault.MISSING_COLUMN:
            return Text("the column {column} is missing. Add it to the first line.", column=told.column)
        case Fault.COLUMN_TWICE:
            return Text("the column {column} is there twice. Leave one out.", column=told.column)
        case Fault.CELLS:
            return Text(
                "it has more than {most} columns. Put a text with commas between quotation marks.",
                most=told.most,
            )
        case Fault.KIND:
            return Text("“{given}” is no way to pay out. Write phone, till or bank.", given=told.given)
        case Fault.PHONE:
            return Text("the number is no mobile number of Kenya. Write it like 0712345678.")
        case Fault.TILL:
            return Text("the till number must have 5 to 9 digits. Please check it.")
        case Fault.BANK:
            return Text("I don't know that bank. Write its name or code, such as KCB or 01.")
        case Fault.ACCOUNT:
            return Text("the account number must have 6 to 16 digits. Please check it.")
        case Fault.HOLDER:
            return Text("the column name must have the account holder's name, as the bank has it.")
        case Fault.AMOUNT:
            return Text(
                "“{given}” is not an amount. Write it plainly, such as 1250 or 1250.50.", given=told.given
            )
        case Fault.NOTE:
            return Text("the note must be one line of at most {most} letters.", most=told.most)
    return _of_amount(told)


def _of_amount(told: Faulty) -> Text:
    match told.because:
        case Fault.CENTS:
            return Text("M-Pesa moves whole shillings only. Leave out the cents.")
        case Fault.MINIMUM if told.fee:
            return Text(
                "after the fee of {fee} too little is left: {limit} is the least that can be sent. "
                "Write a larger amount.",
                fee=told.fee,
                limit=told.limit,
            )
        case Fault.MINIMUM:
            return Text(
                "the amount is too small: {limit} is the least. Write a larger one.", limit=told.limit
            )
        case Fault.FEE if told.fee:
            return Text(
                "the fee of {fee} takes all of it, and {limit} at least must be left. Write a larger amount.",
                fee=told.fee,
                limit=told.limit,
            )
        case Fault.FEE:  # as the release before has written it down
            return Text("the amount is not above its fee. Write a larger one.")
        case Fault.COUNT:
            return Text(
                "with it there would be more than {most} withdrawals in 24 hours, which is the limit.",
                most=told.most,
            )
        case Fault.CLOSED:
            return Text("nothing can be paid out in this way now. Choose another one.")
        case Fault.LIMIT if told.left is not None:
            return Text(
                "it is over the limit of 24 hours, {limit}: {left} is left for it.",
                limit=told.limit,
                left=told.left,
            )
    return Text("the amount is over the limit of {limit} for one. Make two lines of it.", limit=told.limit)
