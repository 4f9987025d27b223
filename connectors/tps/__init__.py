"""TPS: the server that receives the dossiers. Only `Facts` leave this folder."""
