"""What an ear hears: speech, and the cochlea models that turn it into spikes."""
