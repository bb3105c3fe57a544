"""Kvittra, the fictional Nordic online bookkeeping service that the whole book is about."""
