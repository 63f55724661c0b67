const char vmbsim_driver_for[] = "0.0.1";
