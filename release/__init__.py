"""What a release needs beside the wheel: its bill of materials, and the audit of what it locks."""
