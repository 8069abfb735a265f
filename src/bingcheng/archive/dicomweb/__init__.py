"""DICOMweb (PS3.18) without HTTP: media types, multipart messages, queries, frames, pictures, storing."""
