"""Time, memory and achieved rate of keras_perceiver and other Perceivers. See README.md."""
