"""Radiomics features written down: tables, JSON, structured reports, units and grades as readers see them."""
