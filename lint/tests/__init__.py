"""Tests of the rules: each shows bad samples that its rule finds and good ones that it passes."""
