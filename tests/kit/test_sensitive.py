"""Secrets and personal numbers are found by their form, and what only looks like them is left alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from self_service_agent.kit.sensitive import sensitive_places, without_sensitive


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("write to Alice.Johnson+it@company.co.uk, please", "write to [email], please"),
        ("call me at 555 123 4567", "call me at [phone]"),
        ("my phone number is 01712345678", "my phone number is [phone]"),
        ("+49 171 2345678 or (555) 123-4567", "[phone] or [phone]"),
        ("0049-171-2345678", "[phone]"),
        ("card 4111 1111 1111 1111, exp 12/27", "card [card], exp 12/27"),
        ("5500-0000-0000-0004", "[card]"),
        ("378282246310005", "[card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 thanks", "IBAN [iban] thanks"),
        ("gb82west12345698765432", "[iban]"),
        ("my ssn is 123-45-6789", "my ssn is [id number]"),
        ("NINO AB 12 34 56 C", "NINO [id number]"),
        ("passport number: C01X00T47", "passport number: [id number]"),
        ("my password is hunter2", "my password is [password]"),
        ("My password is: Summer!", "My password is: [password]"),
        ("password=letmein please", "password=[password] please"),
        ("pin: 4711", "pin: [password]"),
        ('the password was "correct horse battery"', "the password was [password]"),
        ("api key is abcdefgh12345678", "api key is [secret]"),
        ("use ghp_abcdefghijklmnopqrstuvwxyz0123456789", "use [secret]"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: [secret]"),
        ("https://me:pass@example.org/x", "https://[secret]@example.org/x"),
        ("sk-proj-abcdefghijklmnop1234", "[secret]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc", "[secret]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "[secret]"),
    ],
)
def test_what_must_not_be_written_down_is_found(text, written):
    assert without_sensitive(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "my password is expired", "My password is not working", "the password is wrong!", "my pin is locked",
        "reset my password", "password policy", "REQ0001234", "asset DL7420001", "bought on 2023-04-12", "24.12.2026",
        "VPN error 809", "I have 3 laptops, 14 inch, 16 GB", "version 1.2.3.4", "192.168.100.200",
        "4111 1111 1111 1112", "DE89 3704 0044 0532", "01890a5d-ac96-774b-bcce-b302099a8057",
        "2026-11-20T10:15:30.123456Z", "0123456789abcdef0123456789abcdef", "EMEA-WKS-16", "1", "serial 5CG1234XYZ",
        "token count 1200", "the key is under the mat", "alice at example", "1234567", "call me later",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(text):
    assert sensitive_places(text) == []


@given(st.text(max_size=300))
def test_places_are_in_order_and_inside_the_text(text):
    end = 0
    for finding in sensitive_places(text):
        assert end <= finding.start < finding.end <= len(text)
        end = finding.end


@settings(max_examples=50)
@given(st.text(alphabet=" .,", max_size=5), st.emails(domains=st.just("company.com")))
def test_no_address_survives(between, address):
    assert "company.com" not in without_sensitive(f"from {between} {address} on")


@pytest.mark.parametrize(
    "text",
    ["1 " * 50_000, "a@" * 50_000, "+1" + "(" * 100_000, "pin " * 30_000, "?" + "key" * 40_000, "4-" * 50_000,
     "de89" * 30_000, "-----BEGIN " * 10_000, "://a" * 30_000, "phone a " * 15_000, "passport 1 " * 10_000],
)  # fmt: skip
def test_hostile_texts_are_read_without_delay(text):
    sensitive_places(text)
