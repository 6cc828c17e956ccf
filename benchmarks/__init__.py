"""Time, memory and achieved rate of keras_perceiver beside other Perceivers. See README.md."""
