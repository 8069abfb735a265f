"""DIMSE: objects received from and sent to scanners and archives, and the peers that may do so."""
