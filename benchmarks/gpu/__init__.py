"""What our programs consist of on a GPU, read from the compiler's output on a machine without one."""
