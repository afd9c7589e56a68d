"""SunSpec driver, on the lines of the Modbus driver."""
