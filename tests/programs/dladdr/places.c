int function(void) { return 3; }

// `object` covers the first 64 bytes of an aligned block; no symbol is exported for the rest.
__asm__(".data\n"
        ".balign 128\n"
        ".globl object\n"
        ".type object, %object\n"
        ".size object, 64\n"
        "object: .zero 128\n"
        ".text");
