"""Speaking to providers: one call, one attempt. What fails is a `ProviderFailure` and says whether it may be billed."""
