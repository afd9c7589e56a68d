/* Reads holding registers as fast as libmodbus can: the reference of the Modbus benchmark.
 *
 *   modbus_client port seconds [registers a request] [registers in all]
 *
 * Prints requests, seconds and seconds of CPU, separated by blanks.
 *
 *   cc -O2 -o modbus_client modbus_client.c $(pkg-config --cflags --libs libmodbus)
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "modbus_client port seconds [registers a request] [registers in all]\n");
        return 2;
    }
    int port = atoi(argv[1]);
    double seconds = atof(argv[2]);
    int count = argc > 3 ? atoi(argv[3]) : MODBUS_MAX_READ_REGISTERS;
    int all = argc > 4 ? atoi(argv[4]) : 10000;
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", port);
    if (ctx == NULL || modbus_connect(ctx) == -1) {
        fprintf(stderr, "cannot connect: %s\n", modbus_strerror(errno));
        return 1;
    }
    uint16_t registers[MODBUS_MAX_READ_REGISTERS];
    long requests = 0;
    int address = 0;
    double sum = 0, start = now(), end = start;
    while (end - start < seconds) {
        if (modbus_read_registers(ctx, address, count, registers) != count) {
            fprintf(stderr, "cannot read: %s\n", modbus_strerror(errno));
            return 1;
        }
        for (int i = 0; i + 1 < count; i += 2) {
            sum += modbus_get_float_abcd(registers + i);
        }
        requests++;
        address = address + 2 * count > all ? 0 : address + count;
        end = now();
    }
    printf("%ld %.6f %.6f\n", requests, end - start, cpu());
    modbus_close(ctx);
    modbus_free(ctx);
    return sum == 0.5; /* keeps the decoding from being optimised away */
}
