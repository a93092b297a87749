"""Pure mathematics of dialling: controllers behind one port, and the worlds they are proved in."""
