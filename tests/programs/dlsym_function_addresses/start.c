int in_start(void) { return 2; }
void* start_address_of_in_start(void) { return (void*)in_start; }
int object_of_start = 33;
int* start_address_of_object(void) { return &object_of_start; }
