"""Hints of TPS: `/hints/SECRET` takes those of the old kind, `/hints` signed batches."""
