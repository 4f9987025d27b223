"""`wif rules`: check, look through, try out and publish the rules that admins edit."""

import typer

from cli.rules import check, coverage, diff, explain, publish, simulate

app = typer.Typer(
    no_args_is_help=True, help="Rules: check, try out and publish what admins edit in config/."
)
app.command("check")(check.check)
app.command("coverage")(coverage.coverage_)
app.command("explain")(explain.explain_)
app.command("diff")(diff.diff)
app.command("simulate")(simulate.simulate)
app.command("publish")(publish.publish)
app.command("history")(publish.history)
app.command("rollback")(publish.rollback)
