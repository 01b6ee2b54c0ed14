import pytest

from services.errors import InvalidPhone
from services.phones import masked, mpesa_number, normalize, without_numbers


@pytest.mark.parametrize(
    "text",
    [
        "0712345678",
        "0712 345 678",
        "0712-345-678",
        "712345678",
        "254712345678",
        "+254712345678",
        "+254 (0) 712 345 678",
        " +254 712 345678 ",
        "\u202a+254 712 345678\u202c",  # as contact cards are pasted
    ],
)
def test_a_kenyan_mobile_is_understood_however_it_is_written(text):
    assert normalize(text, "KE") == "+254712345678"


def test_the_newer_numbers_are_mobiles_too():
    assert normalize("0112 345 678", "KE") == "+254112345678"
    assert normalize("0101234567", "KE") == "+254101234567"


def test_a_number_of_another_country_keeps_its_country():
    assert normalize("+256 772 123456", "KE") == "+256772123456"
    assert normalize("0772 123456", "UG") == "+256772123456"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "five",
        "12",
        "0712",
        "071234567",
        "07123456789",
        "020 2345678",  # a landline in Nairobi
        "+254912345678",
        "0712345678 ni yangu",
        "0712FLOWER",
        "0712345678;ext=5",
        "++254712345678",
        "********5678",
        "9" * 5000,
        "\0\ud800",
    ],
)
def test_what_is_no_mobile_number_is_refused(text):
    with pytest.raises(InvalidPhone):
        normalize(text, "KE")


@pytest.mark.parametrize(
    ("text", "unlike"),
    [
        ("five", True),
        ("call me on 0712345678", True),
        ("12", True),
        ("0712 345 67", False),
        ("+12125550100", False),
    ],
)
def test_what_is_not_even_written_as_a_number_is_told_apart(text, unlike):
    with pytest.raises(InvalidPhone) as refused:
        mpesa_number(text)
    assert refused.value.unlike is unlike


def test_a_refusal_does_not_show_the_number():
    with pytest.raises(InvalidPhone) as refused:
        normalize("+254912345678", "KE")
    assert refused.value.given == "********5678"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("+254712345678", "********5678"), ("0123456789", "******6789"), ("1234", "1234"), ("", "")],
)
def test_all_but_the_last_four_are_stars(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("not today", "not today"),
        ("send it to 0712345678 instead", "send it to ******5678 instead"),
        ("call +254 712 345 678.", "call +********5678."),
        ("0712-345-678 is not ours", "******5678 is not ours"),
        ("account 12345", "account *2345"),
        ("on the 24th, not 1234", "on the 24th, not 1234"),
        ("piga ٠٧١٢٣٤٥٦٧٨", "piga ******٥٦٧٨"),
    ],
)
def test_long_numbers_in_what_a_person_typed_are_masked(typed, kept):
    assert without_numbers(typed) == kept
