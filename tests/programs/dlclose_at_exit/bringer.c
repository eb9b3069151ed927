int bringer;
