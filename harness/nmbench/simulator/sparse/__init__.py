"""Large sparse recurrent networks: target-partitioned, pulled at due time, bit-equal for any thread count."""
