"""The composition root: settings, wiring local or remote, migrations, embedded servers, the command line."""
