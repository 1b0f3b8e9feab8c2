// PreferenceData
