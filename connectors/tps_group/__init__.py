"""Following in TPS: a dossier is moved to the *groupe d'instructeurs* of the unit that has it."""
