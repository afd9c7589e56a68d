"""A machining centre that answers on OPC UA, secured, and misbehaves on demand."""
