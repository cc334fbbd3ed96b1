"""Small applications that use Entrada, and `examples.run`, which starts one together with the emulator."""
