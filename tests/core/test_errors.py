"""Errors as shown to users."""

from __future__ import annotations

from cop_core.errors import CopError, InputError


def test_the_message_is_one_line_with_sentences():
    error = InputError("no such\nfile", where="a.tif", advice="check the\n path")
    assert str(error) == "a.tif: no such file. Check the path."
    assert (error.what, error.where, error.advice) == ("no such file", "a.tif", "Check the path")
    assert isinstance(error, CopError)


def test_only_the_first_letter_of_the_advice_is_touched():
    assert str(CopError("x", advice="pass z_step_um")) == "x. Pass z_step_um."
    assert str(CopError("x", advice="--power 5 W")) == "x. --power 5 W."
    assert (str(CopError("x")), CopError("x").advice) == ("x.", None)
