"""XMP packets: reading, editing and proving them."""
